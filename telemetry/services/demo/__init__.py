"""What `make run` and `manage.py load_demo` show: a workspace with all that the studio does, each kind once."""
