"""生活事件: what others say has happened to a person may end a registration, after an objection."""
