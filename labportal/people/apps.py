from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "labportal.people"
    label = "people"
    verbose_name = "Invitations and sign-ups"
