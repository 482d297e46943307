"""What a turn is, what a conversation is, and who may interrupt whom."""
