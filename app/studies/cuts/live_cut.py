"""Cut while it trains: the table's cut on a run that has steps to make, and what becomes of its error."""

import streamlit as st

from app.base.prose import literal, prose
from app.engine import process
from app.store.history import History
from app.store.run import Run
from app.studies.cuts.table import words
from app.ui.live.scene import scene
from app.ui.live.scene_picture import picture
from app.ui.page import frame, visitor
from app.ui.runs.subject import Look
from app.values.cut_spec import WHOLE, CutSpec
from app.values.events import BlockCut
from models.plan import plan

REFRESH_SECONDS = 1.0
OFFERED = 3  # other runs
WINDOW = 10  # steps before a cut and after it that are compared


def cut_live(look: Look, cut: CutSpec) -> None:
    """Offer the cut to the run that is looked at; where it has ended, tell its cuts, and which runs could be cut."""
    if not look.run.can_be_cut:
        _tell(look.run)
        _offer_others(look.run)
        return
    active = look.run.active
    st.fragment(_draw, run_every=REFRESH_SECONDS if active else None)(look.run.id, cut, active)


def _tell(run: Run) -> None:
    """What was cut while it trained."""
    sentences = jumps(process.engine().store.events.history(run.id), len(plan(run.spec.net).blocks))
    if sentences:
        st.markdown("\n\n".join(sentences))


def _offer_others(ended: Run) -> None:
    page = prose("lesions")
    st.markdown(page["live-ended"].format(run=literal(ended.name)))
    others = [run for run in visitor.runs() if run.can_be_cut and run.has_weights and visitor.may("cut", run)]
    for run in others[:OFFERED]:
        label = page["live-other"].format(run=literal(run.name), status=run.status)
        st.page_link(
            frame.page("lesions"), label=label, icon=":material/content_cut:", query_params={"run": run.id, "study": ""}
        )
    if not others:
        st.page_link(frame.page("train"), label=page["live-train"], icon=":material/play_arrow:")


def _draw(run_id: str, cut: CutSpec, was_active: bool) -> None:
    try:
        now = scene((run_id,)).unfed()
    except KeyError:  # deleted meanwhile, by another browser
        st.rerun()
    [run], [history] = now.runs, now.histories
    if run.active != was_active:
        st.rerun()  # the fragment's clock is set where the page begins
    told, chart = st.columns([1, 1.7], gap="medium")
    with told:
        _buttons(run, cut, history.cuts)
        st.caption(f"{literal(run.name)}: {now.paces[0]}")
        _tell(run)
        st.page_link(
            frame.page("train"),
            label=prose("lesions")["live-watch"],
            icon=":material/show_chart:",
            query_params={"run": run.id},
        )
    with chart:
        picture(now.curves(), key="live-errors", rev=run.id, height=300)


def _buttons(run: Run, cut: CutSpec, cuts: tuple[BlockCut, ...]) -> None:
    page, blocks = prose("lesions"), len(plan(run.spec.net).blocks)
    in_force = cuts[-1].cut if cuts else WHOLE
    st.markdown(page["live-cut"].format(cut=words(in_force, blocks)) if in_force != WHOLE else page["live-whole"])
    wanted = page["live-do"].format(cut=words(cut, blocks)) if cut != WHOLE else page["live-choose"]
    if not visitor.may("cut", run):
        st.caption(page["live-others"])
        return
    with st.container(horizontal=True, gap="small"):
        done = st.button(
            wanted, icon=":material/content_cut:", type="primary", disabled=cut in (in_force, WHOLE), key="live-cut"
        )
        back = st.button(page["live-back"], icon=":material/undo:", disabled=in_force == WHOLE, key="live-back")
    if done or back:
        with visitor.attempt("Not cut"):  # it ended, perhaps, while this page was read
            process.engine().runs.cut(run.id, WHOLE if back else cut, visitor.here())
    if (asked := process.engine().store.runs.get(run.id).cut_asked) is not None:
        st.caption(page["live-asked"].format(cut=words(asked, blocks) or page["live-all-back"]))


def jumps(history: History, blocks: int) -> list[str]:
    """What each of the last cuts did to the error on training batches, where steps before it and after it tell."""
    page, sentences = prose("lesions"), []
    ends = [*(cut.step for cut in history.cuts[1:]), history.next_step]
    for change, end in list(zip(history.cuts, ends, strict=False))[-2:]:
        steps = min(WINDOW, change.step, end - change.step)
        before, after = history.train_error(steps, change.step - 1), history.train_error(steps, change.step + steps - 1)
        if steps < 1 or before is None or after is None:
            continue
        last = page["live-now" if end == history.next_step else "live-then"]
        sentences.append(
            page["live-jump"].format(
                step=change.step,
                cut=words(change.cut, blocks) or page["live-all-back"],
                steps=steps,
                before=before,
                after=after,
                last=last.format(step=end, error=history.train_error(steps, end - 1)),
            )
        )
    return sentences
