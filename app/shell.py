"""What Streamlit runs for every session: the frame, and in it the page."""

from app.ui.frame import frame

frame()
