"""The queue server and the only door to Redis or Valkey."""
