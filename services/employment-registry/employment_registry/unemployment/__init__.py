"""失业登记 (个人业务指引 1.3): who is without work registers and chooses the serving office."""
