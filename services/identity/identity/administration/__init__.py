"""Administration (账号管理): accounts found, looked at, locked and let in again, all on record."""
