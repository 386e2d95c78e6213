"""An officer's list as a spreadsheet: asked for with a purpose, made by the worker, kept sealed.

A service declares its table from ``table.ExportColumns``, says per business which queue and which
columns (``desk.Exportable``), makes one ``desk.Exports`` of it, and runs ``building.Builder`` and
``sweep`` as jobs; the endpoints are ``servicekit.web.exports``. AL-06.
"""
