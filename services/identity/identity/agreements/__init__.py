"""Agreements (协议): which version somebody accepted, what is owed again, separate consents."""
