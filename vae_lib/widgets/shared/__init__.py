"""What the controls share.

control      the frame of every control, pictures, sentences
background   work in a thread that can be watched, stopped and waited for
browser      scripts, styles and a network's weights, for what computes in the page
codes        the map of codes that the pad and the drawing board share
"""
