"""What a person allows an app: the request, its steps, and the grant that it ends in."""
