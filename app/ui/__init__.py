"""Streamlit widgets and components; the one place that touches session state and the address."""
