//! What a drawing shows, in the one of a fixed path and in the committed one.

use roxmltree::{Document as Xml, Node as XmlNode};

use super::*;
use crate::path::sample;

/// The drawing in the documentation.
const COMMITTED: &str = include_str!("../../../../../docs/images/walkthrough.svg");

/// Checks what makes a drawing readable everywhere.
fn assert_complete(drawing: &str) {
    let xml = Xml::parse(drawing).unwrap();
    let root = xml.root_element();
    let all = |name: &'static str| root.descendants().filter(move |n| n.has_tag_name(name));
    let of_class = |node: &XmlNode<'_, '_>, class| node.attribute("class") == Some(class);

    assert!(root.attribute("viewBox").is_some());
    assert_eq!(
        (root.attribute("width"), root.attribute("height")),
        (None, None)
    );
    assert!(all("rect").any(|node| of_class(&node, "background")));
    for element in ["title", "desc"] {
        let text = all(element).next().and_then(|node| node.text()).unwrap();
        for name in ["alp1", "cnmSI", "cniSI", "alp2"] {
            assert!(text.contains(name), "{element}: {text}");
        }
    }
    let texts: Vec<&str> = all("text").filter_map(|node| node.text()).collect();
    for text in [
        "net1",
        "10.1.1.0/24",
        "net2",
        "10.1.2.0/24",
        "alp1",
        "cnmSI",
        "cniSI",
        "alp2",
        "eth0 10.1.1.3",
        "eth0 10.1.1.2",
        "eth1 10.1.2.2",
        "eth0 10.1.1.254",
        "eth1 10.1.2.254",
        "eth0 10.1.2.3",
        "3 in, ttl 63",
        "3 out, ttl 61",
    ] {
        assert!(texts.contains(&text), "{text}: {texts:?}");
    }
    let legend = all("g").find(|node| of_class(node, "legend")).unwrap();
    let explained: Vec<&str> = legend
        .descendants()
        .filter_map(|node| node.text())
        .collect();
    for text in ["requests", "replies", "virtual network"] {
        assert!(explained.contains(&text), "{text}: {explained:?}");
    }
    for class in ["request", "reply"] {
        let arrows = all("polyline").filter(|node| of_class(node, class));
        let heads = arrows.filter_map(|node| node.attribute("marker-end"));
        // Three segments, and one in the legend.
        assert_eq!(heads.clone().count(), 4, "{class}");
        for head in heads {
            let id = head.trim_start_matches("url(#").trim_end_matches(')');
            assert!(all("marker").any(|marker| marker.attribute("id") == Some(id)));
        }
    }
}

#[test]
fn the_drawing_has_title_legend_names_and_arrows() {
    let drawing = draw(&sample::path(), FilePath::new("x.svg"));
    assert_complete(&drawing);
}

#[test]
fn the_committed_drawing_is_one_of_this_command() {
    assert_complete(COMMITTED);
    let xml = Xml::parse(COMMITTED).unwrap();
    let metadata = xml.descendants().find(|node| node.has_tag_name("metadata"));
    let command = metadata.and_then(|node| node.text());
    assert_eq!(
        command,
        Some("cargo demo -- --svg docs/images/walkthrough.svg")
    );
    // The same but for what was measured.
    let lines = |drawing: &str| -> Vec<String> {
        let lines = drawing.lines().filter(|line| !line.contains("round trip"));
        lines.map(str::to_owned).collect()
    };
    let file = FilePath::new("docs/images/walkthrough.svg");
    assert_eq!(lines(COMMITTED), lines(&draw(&sample::path(), file)));
}

#[test]
fn texts_are_escaped() {
    let mut path = sample::path();
    path.from.name = "<alp & 1>";
    let drawing = draw(&path, FilePath::new("a&b.svg"));
    let xml = Xml::parse(&drawing).unwrap();
    let texts = xml.descendants().filter_map(|node| node.text());
    assert!(
        texts.into_iter().any(|text| text == "<alp & 1>"),
        "{drawing}"
    );
}

#[test]
fn the_way_goes_from_network_to_network_between_two_services() {
    assert_eq!(segments(1, 0).len(), 2);
    let way = segments(2, 0);
    assert_eq!(way[0][0], [LEFT + END, row(0)]);
    let corners = &way[1];
    assert_eq!(corners[0], [MIDDLE + SERVICE, row(0)]);
    assert_eq!(corners[1], [BARS[1], row(0)]);
    assert_eq!(corners[4], [BARS[0], row(1)]);
    assert_eq!(corners[5], [MIDDLE - SERVICE, row(1)]);
    assert_eq!(way[2][1], [RIGHT - END, row(1)]);
}
