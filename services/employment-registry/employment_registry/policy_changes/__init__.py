"""政策变更 (AL-11): an admin drafts, a trial lists whom it touches, another admin activates."""
