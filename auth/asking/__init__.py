"""What a person is asked before an app gets access, in their words: pure, no page, no database."""
