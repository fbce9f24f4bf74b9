"""The WSGI entry: any server that can import `wsgi:app` runs the record."""

from ehr.app import create_app

app = create_app()
