"""What URLs mean, for requests and Bundle entries alike: paths, queries, entity tags."""
