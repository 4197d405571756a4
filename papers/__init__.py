"""The published tables: each row with the steps that make our number, published beside reached."""
