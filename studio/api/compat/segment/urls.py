"""Where Segment's clients call, below ``v1/``."""

from django.urls import re_path

from studio.api.compat.segment.mapping import CALLS
from studio.api.compat.segment.views import BatchView, CallView

urlpatterns = [
    re_path(r"^(?:batch|b|import)/?$", BatchView.as_view()),
    re_path(rf"^(?P<call>{'|'.join(CALLS)})/?$", CallView.as_view()),
]
