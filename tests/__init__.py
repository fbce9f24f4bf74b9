"""The proof: unit, spec, api, policy and docs tests. `python3 -m tests` runs them."""
