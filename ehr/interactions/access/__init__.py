"""What access asks of an interaction: who asks, what they may write, and what they see of it."""
