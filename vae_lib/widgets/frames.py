"""A slider over pictures that were drawn beforehand. Notebook 06."""

from collections.abc import Mapping

import ipywidgets

from vae_lib.widgets.shared.control import Control, Picture, row, say


class Frames(Control):
    """A choice of stories, and a slider over the pictures of the chosen one.

    `stories` maps the name of each to a mapping from the slider's values to pairs (PNG
    bytes, the sentence below them); all have the same values. `choice` names what is
    chosen, and `name` what the slider changes. `chooser` and `slider` are the widgets.
    Raises ValueError where there is nothing to show, or the values differ.
    """

    def __init__(
        self, stories: Mapping, name: str, choice: str = "", description: str = ""
    ):
        values = {tuple(frames) for frames in stories.values()}
        if len(values) != 1 or not min(values):
            raise ValueError(
                f"the stories have {len(values)} lists of values: pass one story or "
                "more, all with the same values, and with at least one value."
            )
        self.stories = {title: dict(frames) for title, frames in stories.items()}
        self.description = description or f"A slider for {name} over pictures."
        values, style = [*values.pop()], {"description_width": "initial"}
        self.chooser = ipywidgets.Dropdown(
            options=[*stories], description=choice, style=style
        )
        self.slider = ipywidgets.SelectionSlider(
            options=values,
            description=name,
            style=style,
            layout={"width": "26em"},
        )
        self.pane, self.message = Picture(width=760), ipywidgets.HTML()
        for widget in (self.chooser, self.slider):
            widget.observe(self.update, "value")
        shown = [self.chooser] * (len(self.stories) > 1) + [self.slider]
        super().__init__(row(*shown), self.pane, self.message)
        self.update()

    def update(self, _=None):
        """Show the picture and the sentence that are chosen."""
        picture, sentence = self.stories[self.chooser.value][self.slider.value]
        self.pane.value, self.pane.alt = picture, sentence
        say(self.message, sentence)

    def picture(self):
        """Return PNG bytes of the last picture of the chosen story."""
        return [*self.stories[self.chooser.value].values()][-1][0]
