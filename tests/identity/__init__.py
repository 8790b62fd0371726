"""A company's OpenID provider as a process of its own: allauth's, with settings and a database of its own."""
