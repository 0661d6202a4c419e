use super::*;

const HOSTILE: &str = "<script>alert(\"x\")</script>&'";

fn hostile() -> String {
    HOSTILE.into()
}

fn picture() -> Option<Picture> {
    Some(Picture::png(HOSTILE, b"\x89PNG"))
}

fn sweep() -> Sweep {
    let point =
        SweepPoint { value: hostile(), scores: vec![Some(0.5), Some(f64::NAN)], picture: picture(), best: true };
    Sweep::new(HOSTILE, &[hostile(), hostile()], vec![point.clone(), point])
}

fn run() -> RunReport {
    let row = |id: &str, score| ImageRow {
        id: format!("{id}{HOSTILE}"),
        status: hostile(),
        notes: vec![hostile()],
        scores: vec![score, None],
        input: picture(),
        overlay: None,
    };
    RunReport {
        title: hostile(),
        program: hostile(),
        recipe_name: hostile(),
        recipe: hostile(),
        summary: vec![Figure { note: hostile(), ..Figure::new(HOSTILE, HOSTILE) }],
        histograms: Histogram::of(HOSTILE, &[0.1, 0.9]).into_iter().collect(),
        sweep: Some(sweep()),
        columns: vec![hostile(), hostile()],
        images: vec![row("none", None), row("good", Some(0.9)), row("bad", Some(0.1))],
        sort: Some(Sort { column: 0, higher_is_better: true }),
        left_out: 3,
        failed: vec![Failure { id: hostile(), reason: hostile() }],
    }
}

fn demo() -> DemoReport {
    let panel = Panel { picture: Picture::png(HOSTILE, b"x"), caption: hostile() };
    DemoReport {
        title: hostile(),
        text: hostile(),
        program: hostile(),
        recipe: hostile(),
        scores: vec![Figure::new(HOSTILE, HOSTILE)],
        sections: vec![Section { title: hostile(), text: hostile(), panels: vec![panel] }],
    }
}

fn compare() -> CompareReport {
    let cell = CompareCell { mean: Some(0.5), paired: Paired::of(&[Some(0.5)], &[Some(0.4)]) };
    let result = CompareResult { recipe: hostile(), text: hostile(), overlay: picture() };
    CompareReport {
        title: hostile(),
        program: hostile(),
        images_compared: 1,
        base: hostile(),
        metrics: vec![hostile()],
        rows: vec![CompareRow { recipe: hostile(), cells: vec![cell] }],
        weights: Histogram::of(HOSTILE, &[0.1, 0.9]).into_iter().collect(),
        images: vec![CompareImage { id: hostile(), input: picture(), results: vec![result] }],
        left_out: 1,
        recipes: vec![(hostile(), hostile())],
    }
}

#[test]
fn every_text_is_escaped_and_nothing_is_loaded() {
    let pages = [run().html(), demo().html(), compare().html()];
    for page in pages.map(Result::unwrap) {
        assert!(page.contains("&lt;script&gt;alert(&quot;x&quot;)"), "{page}");
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("alert(\"x\")"), "{page}");
        assert!(page.contains("default-src 'none'; img-src data:; style-src 'unsafe-inline'"));
        assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("NaN"));
        assert!(page.contains("src=\"data:image/png;base64,"));
    }
}

#[test]
fn the_worst_image_comes_first_and_unscored_ones_last() {
    let page = run().html().unwrap();
    let at = |id: &str| page.find(&format!("<h3>{id}")).unwrap();
    assert!(at("bad") < at("good") && at("good") < at("none"));
    let page = RunReport { sort: Some(Sort { column: 0, higher_is_better: false }), ..run() }.html().unwrap();
    let at = |id: &str| page.find(&format!("<h3>{id}")).unwrap();
    assert!(at("good") < at("bad") && at("bad") < at("none"));
}

#[test]
fn empty_reports_are_pages_too() {
    for page in [RunReport::default().html(), DemoReport::default().html(), CompareReport::default().html()] {
        assert!(page.unwrap().contains("</html>"));
    }
}
