"""``{% load govern %}``: pieces of HTML about changes, reviews and findings."""

from django import template

from studio.markup import with_code
from studio.pages.changes import change_chip, shown_value
from studio.pages.findings import severity_chip
from studio.pages.review_states import review_chip

register = template.Library()

register.simple_tag(change_chip, name="change_chip")
register.simple_tag(review_chip, name="review_chip")
register.simple_tag(severity_chip, name="severity_chip")
register.simple_tag(shown_value, name="shown_value")
register.simple_tag(with_code, name="with_code")
