"""What the server answers to programs, described: the OpenAPI document."""
