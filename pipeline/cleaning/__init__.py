"""What of past runs nobody needs any more, and its removal from disk and metadata store."""
