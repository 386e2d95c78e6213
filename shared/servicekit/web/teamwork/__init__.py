"""HTTP for what several officers do with one application."""
