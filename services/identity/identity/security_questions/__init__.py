"""Security questions (密保问题): three answers, hashed; one proof beside another, never alone."""
