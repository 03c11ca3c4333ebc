"""The components of the browser, each with its half in web/."""
