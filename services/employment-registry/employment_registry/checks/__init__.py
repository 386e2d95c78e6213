"""核验: what other authorities know of the person is asked when an application is filed (ER-09)."""
