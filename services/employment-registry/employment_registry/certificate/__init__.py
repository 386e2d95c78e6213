"""就业创业证 (个人业务指引 1.4): one valid certificate per person, which anyone may verify."""
