"""A storage driver in Python: plain copies of directories. The example for authors of drivers."""
