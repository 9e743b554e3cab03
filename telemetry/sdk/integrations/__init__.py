"""Where Python teams work: functions, Django, Django REST framework, Celery, and ASGI apps such as FastAPI's.

Each module imports its own framework and no other; nothing else of the SDK imports any.
"""
