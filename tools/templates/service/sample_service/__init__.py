"""示例服务: see README.md."""
