"""What an officer of the registry sees first: how much waits in each of its businesses."""

from __future__ import annotations

from employment_registry.certificate.review_actions import REVIEWS as CERTIFICATES
from employment_registry.flexible_employment.review_actions import REVIEWS as EMPLOYMENTS
from employment_registry.life_events.review_actions import REVIEWS as ENDINGS
from employment_registry.unemployment.review_actions import REVIEWS as UNEMPLOYMENTS
from servicekit.web.api import Blueprint
from servicekit.web.review_routes import add_counts

counts = Blueprint(
    "review-counts", __name__, url_prefix="/review-counts", description="经办人员：待办统计"
)
add_counts(counts, EMPLOYMENTS, UNEMPLOYMENTS, CERTIFICATES, ENDINGS)
