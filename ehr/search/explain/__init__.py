"""How a search was answered, for operators: what was understood, and what each statement cost."""
