"""What the record answers to anybody, compared with what the naive evaluator permits."""
