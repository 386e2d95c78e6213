"""Unit data (单位信息): the 单位管理码, what officers correct, and since when each value holds."""
