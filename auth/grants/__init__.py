"""Ways to get tokens: one module for each grant type."""
