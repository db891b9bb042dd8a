//! Data sets that come as archives, from a server of our own.

use super::*;

/// A book with one archive recipe and a server that answers each request with `answers` in turn.
struct Mirror {
    dir: TempDir,
}

impl Mirror {
    fn new(answers: Vec<Vec<u8>>, extra: &str) -> Mirror {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while request.read_line(&mut line).is_ok_and(|n| n > 2) {
                    line.clear();
                }
                stream.write_all(&answer).unwrap();
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let pairs = if extra.contains("pairs = ") { "" } else { "pairs = \"none\"\n" };
        let recipe = format!(
            "name = \"tiny\"\ntitle = \"Tiny\"\nkind = \"archive\"\nversion = \"1\"\nlicence = \"-\"\ncredit = \"-\"\n\
             source = \"http://{address}/tiny.zip\"\n{pairs}{extra}"
        );
        fs::write(dir.path().join("tiny.toml"), recipe).unwrap();
        Mirror { dir }
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    fn store(&self) -> Store {
        Store::new(self.cache(), RecipeBook::new(&[self.dir.path().to_path_buf()]))
    }

    fn prepare(&self) -> Result<Dataset, DataError> {
        self.store().prepare(&of_recipe("tiny"), &mut |_| ())
    }

    fn failure(&self) -> String {
        let error = self.prepare().err().expect("it fails").to_string();
        let store = self.store();
        assert!(!store.is_fetched(&store.book().get("tiny").unwrap()), "a bad download was kept");
        error
    }
}

fn answer(status: &str, body: &[u8], length: usize) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn ok(body: &[u8]) -> Vec<u8> {
    answer("200 OK", body, body.len())
}

/// The same images as `folder()`, and things that are none.
fn zipped(first_level: u8) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (path, level) in [
        ("tiny/trainA/a0.png", first_level),
        ("tiny/trainA/a1.png", 11),
        ("tiny/trainA/sub/a2.png", 12),
        ("tiny/trainB/b0.png", 200),
        ("tiny/trainB/b1.jpg", 201),
        ("tiny/testA/t0.png", 50),
        ("tiny/trainA/notes.txt", 0),
        ("tiny/trainA/../../out.png", 0),
        ("other/deep/trainA/x.png", 0),
    ] {
        zip.start_file(path, options).unwrap();
        zip.write_all(&png(level)).unwrap();
    }
    zip.add_symlink("tiny/trainA/link.png", "/etc/passwd", options).unwrap();
    zip.finish().unwrap().into_inner()
}

const COUNTS: &str = "[counts]\ntrain_a = 3\ntrain_b = 2\ntest_a = 1\ntest_b = 0\n";

#[test]
fn an_archive_is_downloaded_once_and_equals_its_folder() {
    let mirror = Mirror::new(vec![ok(&zipped(10))], COUNTS);
    let store = mirror.store();
    let recipe = store.book().get("tiny").unwrap();
    assert!(!store.is_fetched(&recipe));
    let mut last = None;
    let fetched = store.fetch(&recipe, &mut |progress| last = Some(progress)).unwrap();
    let last = last.unwrap();
    assert!(last.bytes && Some(last.done) == last.total && last.done == fetched.bytes, "{last:?}");
    assert!(store.is_fetched(&recipe) && fetched.downloaded);
    assert!(!store.fetch(&recipe, &mut |_| ()).unwrap().downloaded);

    let (data, folder, cache) = (mirror.prepare().unwrap(), folder(), tempfile::tempdir().unwrap());
    let same = prepare(cache.path(), &of_folder(folder.path())).unwrap();
    assert_eq!(data.fingerprint(), same.fingerprint());
    assert_eq!(data.batch(3, 2).unwrap(), same.batch(3, 2).unwrap());
    // The download can go: what was prepared stays, and the server is not asked again.
    fs::remove_file(fetched.path.unwrap()).unwrap();
    assert_eq!(mirror.prepare().unwrap().fingerprint(), same.fingerprint());
    assert!(!store.is_fetched(&recipe));
}

#[test]
fn bad_downloads_are_refused_and_not_kept() {
    let check = |answer: Vec<u8>, extra: &str, expected: &str| {
        let text = Mirror::new(vec![answer], extra).failure();
        assert!(text.contains(expected), "{text} lacks {expected}");
    };
    let zip = zipped(10);
    check(answer("404 Not Found", b"", 0), COUNTS, "no such file (404)");
    check(answer("503 Busy", b"", 0), COUNTS, "answered 503");
    check(answer("200 OK", &zip[..500], zip.len()), COUNTS, "broke off after 500");
    let wrong = format!("sha256 = \"{}\"\n{COUNTS}", "0".repeat(64));
    check(ok(&zip), &wrong, "expected 0000");
}

/// Three held-out pairs; those of `bad` cannot be read.
fn zipped_pairs(bad: &[&str]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for path in [
        "trainA/a.png",
        "trainB/b.png",
        "testA/0.png",
        "testA/1.png",
        "testA/2.png",
        "testB/0.png",
        "testB/1.png",
        "testB/2.png",
    ] {
        zip.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        let bytes = if bad.contains(&path) { b"text".to_vec() } else { png(9) };
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn images_are_paired_only_where_both_of_every_pair_are_left() {
    let prepared = |bad: &[&str], pairs: &str| {
        let mirror = Mirror::new(vec![ok(&zipped_pairs(bad))], &format!("pairs = \"{pairs}\"\n"));
        let config = DataConfig { on_bad_image: OnBadImage::Skip, ..of_recipe("tiny") };
        mirror.store().prepare(&config, &mut |_| ()).unwrap()
    };
    let check = |bad: &[&str], pairs: &str, expected: bool| {
        assert_eq!(prepared(bad, pairs).paired(Fold::Test), expected, "{bad:?} {pairs}");
    };
    check(&[], "exact", true);
    check(&[], "loose", false);
    check(&["testA/1.png"], "exact", false);
    check(&["testA/1.png", "testB/2.png"], "exact", false); // as many, but not the same
    check(&["testA/1.png", "testB/1.png"], "exact", true);

    let fingerprint = |pairs| prepared(&[], pairs).fingerprint().to_string();
    assert_ne!(fingerprint("exact"), fingerprint("none"));
    assert_eq!(fingerprint("loose"), fingerprint("none"));
}

#[test]
fn archives_that_are_not_what_they_should_be() {
    let check = |body: &[u8], extra: &str, expected: &str| {
        let text = Mirror::new(vec![ok(body)], extra).prepare().err().unwrap().to_string();
        assert!(text.contains(expected), "{text} lacks {expected}");
    };
    check(b"<html>sorry</html>", COUNTS, "is not the package it should be");
    check(
        &zipped(10),
        &COUNTS.replace("test_b = 0", "test_b = 5"),
        "testB holds 0 images, the recipe expects 5",
    );
}

#[test]
fn a_later_download_has_to_equal_the_first() {
    let mirror = Mirror::new(vec![ok(&zipped(10)), ok(&zipped(99)), ok(&zipped(10))], COUNTS);
    let store = mirror.store();
    let recipe = store.book().get("tiny").unwrap();
    let first = store.fetch(&recipe, &mut |_| ()).unwrap();
    let path = first.path.as_ref().unwrap();
    let beside = |path: &Path| fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(beside(path), 2, "the file and its record, nothing half written");
    fs::remove_file(path).unwrap();
    let error = store.fetch(&recipe, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains(".sha256` if the source changed on purpose"), "{error}");
    assert_eq!(store.fetch(&recipe, &mut |_| ()).unwrap(), first);
}
