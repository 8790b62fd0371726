"""Invented patients, doctors and practices; names of many languages, as a lab really meets them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Practice:
    """An invented practice and the one doctor who scans there."""

    practice_id: str
    name: str
    address: str
    doctor_id: str
    doctor: str
    license: str


PRACTICES: tuple[Practice, ...] = (
    Practice("30211", "Zahnarztpraxis am Marienplatz", "Rosenweg 4, 80331 München, Germany", "71034", "Dr. Petra Zahn",
             "DE-80331-118"),
    Practice("30212", "Clínica Dental Sol", "Calle Mayor 112, 28013 Madrid, Spain", "71035", "Dr. Íñigo Ruiz Peña",
             "28-004711"),
    Practice("30215", "Fjordtann Tannlegesenter", "Strandgaten 18, 5013 Bergen, Norway", "71040", "Dr. Bjørn Ødegård",
             "NO 9914420"),
    Practice("30220", "Cabinet dentaire Les Tilleuls", "7 rue des Tilleuls, 69006 Lyon, France", "71052",
             "Dr. Hélène Lefèvre", "FR69-10023"),
    Practice("30233", "Lakeside Family Dental", "2210 Shoreline Dr, Suite 4, Madison, WI 53703, USA", "71060",
             "Dr. Marcus Whitfield", "WI-55120"),
    Practice("30234", "Smile & Co. Orthodontics", "48 Harbour Street, Bristol BS1 5AA, United Kingdom", "71061",
             "Dr. Niamh O'Connor-Hughes", "GDC 214887"),
    Practice("30240", "مركز الابتسامة لطب الأسنان", "Al Wasl Road 310, Dubai, United Arab Emirates", "71077",
             "Dr. Layla Haddad", "DHA-0071182"),
    Practice("30251", "Ortodoncja Kraków Śródmieście", "ul. Długa 31/2, 31-147 Kraków, Poland", "71083",
             "Dr. Łukasz Wiśniewski", "PL-334518"),
    Practice("30266", "Ağız ve Diş Sağlığı Kliniği", "Bağdat Cad. 205, 34730 İstanbul, Türkiye", "71090",
             "Dr. Ayşe Çağlar", "TR-41190"),
    Practice("30270", "Dr. Steiner & Partner, Praxis für Zahnheilkunde und Kieferorthopädie",
             "Bahnhofstrasse 77, 8001 Zürich, Switzerland", "71098", "Dr. Matthias Steiner", "ZH-20114"),
)  # fmt: skip

PATIENTS: tuple[tuple[str, str], ...] = (
    ("Jürgen", "Müller-Lüdenscheidt"),
    ("Søren", "Ørsted"),
    ("Zoë", "van den Broek"),
    ("François", "Lemaître"),
    ("Ana María", "García Fernández de la Vega"),
    ("Oliver", "Brandt"),
    ("Emma", "Whitmore"),
    ("Noah", "Okafor"),
    ("محمد", "الحسيني"),
    ("נועה", "כהן"),
    ("Łucja", "Żółkiewska"),
    ("Göran", "Åkerström"),
    ("Þórdís", "Jónsdóttir"),
    ("Giulia", "D'Angelo"),
    ("Mehmet", "Yıldırım"),
    ("Siobhán", "Ní Dhomhnaill"),
    ("Dmytro", "Шевченко"),
    ("Linh", "Nguyễn"),
    ("João", "Gonçalves da Conceição"),
    ("Yui", "田中"),
    ("Maximiliane-Charlotte", "von Hohenstein-Wittgenborn"),
    ("Bo", "Li"),
    ("Grace", "Mbatha"),
    ("Tomáš", "Dvořák"),
    ("Ingrid", "Nygård"),
    ("Elias", "Weiß"),
    ("Priya", "Ramachandran"),
    ("Chloé", "Dubois"),
    ("Rasmus", "Kjær"),
    ("Hannah", "Goldberg"),
)

NOTES: tuple[str, ...] = (
    "",
    "",
    "Please call before milling, margin on the mesial side is deep.",
    "Bitte okklusal etwas schwächer modellieren, Patientin knirscht.",
    "Match the shade of the neighbour.\nPhotos were sent by e-mail.",
    "Contactos ligeros, por favor.",
    "Low translucency. Try-in on Thursday.",
    "Null",
    "Second quadrant was re-scanned after bleeding; use the newer one & ignore the <old> bite.",
)
