"""Keys and what is signed by them: JSON Web Tokens, id_tokens and DPoP proofs (JOSE)."""
