"""One API description for the suite, made of the services' own: a document and a page."""
