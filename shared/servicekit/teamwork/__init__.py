"""What several officers do with one application: hand it over, ask, agree, be urged, in batches.

A matter mixes ``reviews.TeamReviewed`` into its application's table in place of ``Reviewed`` and
declares ``reviews.TeamReviews`` in place of ``Reviews``; its service calls ``tables.team_tables``.
"""
