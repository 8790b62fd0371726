"""The lab's own settings, for its owner. A further setting is a panel of its own on this page, with its own address."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from labportal.audit.services import record
from labportal.labs.access import LabRequest, owner
from labportal.labs.models import Lab
from labportal.people.forms import LabSettingsForm


@require_http_methods(["GET", "HEAD", "POST"])
@owner
def lab_settings(request: LabRequest) -> HttpResponseBase:
    """Name, time zone, tooth numbers. The lab's short name stays: it stands in nobody's way."""
    lab = Lab.objects.get(pk=request.lab.pk)  # of its own: what a refused form tried is shown nowhere else
    form = LabSettingsForm(request.POST or None, instance=lab)
    if request.method == "POST" and form.is_valid():
        form.save()
        record("lab.settings_changed", lab_id=lab.pk, target=lab, fields="+".join(form.changed_data))
        messages.success(request, "Saved.")
        return redirect("lab_settings")
    return render(request, "people/lab_settings.html", {"form": form})
