"""Results and events drawn as Plotly figures."""
