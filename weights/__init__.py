"""What others trained and an entry can start from: where it is, whose licence, which option takes it."""
