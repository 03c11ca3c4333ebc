"""What Streamlit runs for every session: the frame, and in it the page."""

if __name__ == "__main__":  # a worker that is spawned in a dead one's place executes this file too, as __mp_main__
    from app.ui.page.frame import frame

    frame()
