"""Read and write untrusted files as plain data, without executing anything in them."""

__all__: list[str] = []
