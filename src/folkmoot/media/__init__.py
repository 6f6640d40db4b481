"""Pictures, films and sounds that people upload, and what is made of them. Knows no accounts and no SQL."""
