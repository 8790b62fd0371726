"""How people come in: second steps, passkeys, sign-in by a lab's own provider. Log-in itself is django-allauth's."""
